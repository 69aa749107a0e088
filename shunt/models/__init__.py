"""Model names, sizes, families and prices. Data files lie beside the code."""
