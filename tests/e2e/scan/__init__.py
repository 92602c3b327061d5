"""The theft test's search: what a thief would try on a stolen disk. Shares nothing with the product but file formats."""
