"""Reviews (审计核查): an access is asked about, answered for by the accessor's superior, and found in order or not (law.md A-06)."""
