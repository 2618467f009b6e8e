"""One file per extension; the package is walked once and every EXTENSIONS constant is registered."""
