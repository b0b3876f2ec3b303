"""How does a process of the `nurture` command begin? With rest from the garbage collector.

What is imported stays until the end, so Python need not look through it for rings of objects that
nobody holds any more: neither while it is imported nor, again and again, while people are planned.
"""

import gc

#: New objects between two looks. Facts of a batch live until it is planned; 700, Python's own
#: number, has each of them looked at in vain.
_OBJECTS = 50_000


def main() -> None:
    gc.disable()
    from nurture.cli import main as command  # noqa: PLC0415 - at rest

    rest()
    command()


def rest() -> None:
    """From here on only what is made from here on is looked through, and seldom."""
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    gc.enable()


if __name__ == "__main__":
    main()
