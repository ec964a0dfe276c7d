"""mediad: the metadata daemon of mediadb. Layers and rules: docs/architecture.md."""

__version__ = "0.1.0"
