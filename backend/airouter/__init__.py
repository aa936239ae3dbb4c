"""AI Router: a gateway to AI models with prepaid quota and exact books."""

from importlib.metadata import version

__version__ = version("airouter")
