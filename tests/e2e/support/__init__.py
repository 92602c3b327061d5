"""What the tests share: a real installation and plain HTTP to it."""
