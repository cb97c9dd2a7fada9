"""The autograder for Gradescope: a grader that no submission can reach, and a worker that only answers calls.

The grader (``grade``) holds the cases, the seeds and the rubric, and never imports anything of a submission. The worker
(``inside``) imports the student's files, under a user of its own and with little that it may do (``sandbox``); what it
returns is plain values and arrays, which are checked as they come in. Seen from a case, a function under test is a
function like any other (``remote``).
"""
