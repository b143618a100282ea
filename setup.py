"""What pyproject.toml cannot say: what lies beside the package in a checkout lies inside it in a wheel.

`vizvit.assets` is the folder `assets`, which `packages.find` does not see; `vizvit/app` is the app with its
configuration, where `vizvit app` finds them.
"""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

APP = ("app.py", ".streamlit/config.toml")


class WithApp(build_py):
    def run(self):
        super().run()
        if self.editable_mode:
            return
        for name in APP:
            inside = Path(self.build_lib, "vizvit", "app", name)
            inside.parent.mkdir(parents=True, exist_ok=True)
            self.copy_file(name, str(inside))


setup(packages=[*find_packages(include=["vizvit*"]), "vizvit.assets"], cmdclass={"build_py": WithApp})
