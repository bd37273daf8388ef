"""The one exception that is meant for the person at the keyboard."""


class UserError(Exception):
    """Something the user can mend. The message names what is wrong, where, and what to do about it.

    The command line prints it and exits with status 2; pages show it in place of their content.
    """
