"""Which bytes may go to a mail server as they are?"""


class Lines(bytes):
    """Whole lines: each ends with CRLF, none begins with a dot, and there is no other CR or LF.

    Made by who builds a mail of nothing but such lines, so that who hands it over need not look
    through all of it again. Bytes from anywhere else are no Lines, and are looked through.
    """
