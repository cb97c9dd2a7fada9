"""All of them, group by group."""

from staff.hostile import answers, files, honest, takeover, walls

GROUPS = {
    "Honest code": [*honest.SUBMISSIONS, *walls.HONEST],
    "Wrong answers": answers.SUBMISSIONS,
    "Files": files.SUBMISSIONS,
    "Ends": takeover.ENDS,
    "Floods": takeover.FLOODS,
    "Reaches for the grader": takeover.REACHES,
    "Forged messages": takeover.FORGES,
    "Processes": walls.PROCESSES,
    "The disk": walls.FILES,
    "System calls": walls.CALLS,
    "Memory": walls.MEMORY,
}
SUBMISSIONS = [submission for group in GROUPS.values() for submission in group]
