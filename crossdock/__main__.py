"""`python -m crossdock`."""

from crossdock.cli.app import main

if __name__ == "__main__":
    main()
