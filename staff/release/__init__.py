"""From the solved source to the student edition, and the proof that no solution is in it.

A region between two markers is what students do not get (:mod:`~staff.release.markers`); a blank takes its place, and
can be taken back (:mod:`~staff.release.blanks`). ``contents.txt`` says which files there are
(:mod:`~staff.release.contents`); the edition is made of them in memory (:mod:`~staff.release.edition`), looked through
for leaks (:mod:`~staff.release.leaks`), tried where it lies (:mod:`~staff.release.trial`), and only then takes the
place of the old one (:mod:`~staff.release.command`).
"""
