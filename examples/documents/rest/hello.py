# The entry file of a run.
import sys

print("Hello, REST!", *sys.argv[1:])
