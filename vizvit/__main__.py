"""`python -m vizvit COMMAND`; see vizvit/cli."""

from vizvit.cli import main

raise SystemExit(main())
