"""The road of a catalogue entry (目录): who compiles, approves, publishes, changes and withdraws it, and the data sets behind it."""
