"""What is wrong with a machine or a deployment file, before anybody has to find out by trying."""
