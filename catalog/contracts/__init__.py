"""Contracts (合同): from the YAML text of an ODCS 3.x document to a checked data set, with every fault and warning on the way."""
