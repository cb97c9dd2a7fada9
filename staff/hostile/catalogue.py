"""All of them, group by group."""

from staff.hostile import answers, files, honest, takeover

GROUPS = {
    "Honest code": honest.SUBMISSIONS,
    "Wrong answers": answers.SUBMISSIONS,
    "Files": files.SUBMISSIONS,
    "Ends": takeover.ENDS,
    "Floods": takeover.FLOODS,
    "Reaches for the grader": takeover.REACHES,
    "Forged messages": takeover.FORGES,
}
SUBMISSIONS = [submission for group in GROUPS.values() for submission in group]
