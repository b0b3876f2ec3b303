"""What does `python -m nurture` do? The same as the `nurture` command."""

import sys

from nurture.cli import main

if __name__ == "__main__":
    sys.exit(main())
