"""Keep a LoRA adapter of a git repository current."""

__version__ = "0.1.0"
