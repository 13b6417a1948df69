"""genbridge: generation APIs that can only be polled become signed webhooks."""

__version__ = "0.1.0"
