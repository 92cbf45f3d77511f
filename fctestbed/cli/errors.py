"""The error that becomes exit code 2."""


class UsageError(Exception):
    """What was asked for cannot be; the message is one line naming the option, what was expected
    and what came."""
