"""What is given out with an exported log: a verifier that needs nothing of the platform."""
