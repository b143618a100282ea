"""Which packages there are: those with an `__init__.py`, and the assets, which lie beside them in a checkout."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["vizvit*"]), "vizvit.assets"])
