"""Questions on a student's own code: whoever wrote it should be able to answer them in two minutes.

Keys come from running the code (:mod:`coursework.quiz.make`). No question shows code that the student did not write,
but for one small change to a line of theirs.
"""
