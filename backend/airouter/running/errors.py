"""What can keep an instance from starting.

CannotStart            the message is for the person at the keyboard; it says what to do
├── AlreadyRunning     another process owns this home
├── PortTaken          somebody else listens where we should
├── NoPostgres         no server to embed and none configured
└── OtherPostgresMajor the data was made by a Postgres that this one cannot read
"""


class CannotStart(Exception):
    """The instance cannot start; the text is complete and meant for people."""


class AlreadyRunning(CannotStart):
    """Another process already runs on this AIROUTER_HOME."""


class PortTaken(CannotStart):
    """The address is in use by another process."""


class NoPostgres(CannotStart):
    """There is no Postgres to start and AIROUTER_DATABASE_URL is not set."""


class OtherPostgresMajor(CannotStart):
    """The data directory belongs to another major version of Postgres."""
