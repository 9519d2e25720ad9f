"""`tongchou`, the command line: reads arguments and the environment, calls the packages, prints for people or machines."""
