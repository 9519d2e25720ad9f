"""How data comes in: readers of files and databases, the proposed contract, intake raw → standard → gate. No decisions about people."""
