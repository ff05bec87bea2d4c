"""What runs tell of themselves: figures, charts and pages made from their directories."""
