# SPDX-License-Identifier: MIT
"""What is made from the data in vectors/: the specification page, the table of bugs, the coverage of the requirements."""
