"""From the solved source to the student edition, and the proof that no solution is in it.

A region between two markers is what students do not get (``markers``); a blank takes its place, and can be taken back
(``blanks``). ``contents.txt`` says which files there are (``contents``); the edition is made in memory
(``edition``), searched for leaks (``leaks``), tried where it lies (``trial``), and only then takes the place of the old
one (``command``).
"""
