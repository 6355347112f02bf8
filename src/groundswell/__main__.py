"""`python -m groundswell` is the command line."""

from groundswell.cli import main

main()
