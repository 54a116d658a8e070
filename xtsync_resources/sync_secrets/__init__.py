"""The settings of the synchronization, which Graph calls secrets."""
