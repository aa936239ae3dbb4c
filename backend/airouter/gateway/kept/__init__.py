"""What outlives a request: names that providers minted, what lies behind them, and work in the background."""
