"""What runs inside the user's environment: standard library only, Python 3.6 syntax."""
