"""Mail: letters in the reader's language, and the server that takes them. The outbox is services/mailbox.py."""
