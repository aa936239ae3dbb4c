"""AI Router: a gateway to AI models with prepaid quota and exact books."""
