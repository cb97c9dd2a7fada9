"""``python -m staff COMMAND``: the staff's command line."""

from coursework.staff.__main__ import run

if __name__ == "__main__":
    run("staff")
