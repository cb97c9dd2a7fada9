# For the scripts of the repository in the folder $here: sets $python, the interpreter of .venv where there is one.
python=$here/.venv/bin/python
[ -x "$python" ] || python=$here/.venv/Scripts/python.exe  # Windows
[ -x "$python" ] || python=${PYTHON:-$(command -v python3 || command -v python || echo python3)}
