"""Imported by a fork server: the rules are read once, and not by every process that is killed."""

from rules.departments import load_departments
from rules.elements import load_elements
from rules.tiers import load_tier_policy
from rules.version import rules_version

WARM = (load_departments(), load_elements(), load_tier_policy(), rules_version())
