"""Credit that this process may spend: leased in batches, held and settled in memory, kept in a journal."""
