"""What the bureau decides: rules as data (YAML) and the pure functions that apply them. No I/O but its own files."""
