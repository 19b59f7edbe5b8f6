"""Makes the virtual environment in which benchmarks run, with the programs of pyperformance and the tools of others.

    install.py VENV

for the interpreter that runs this. Does nothing, quickly, if the environment holds what is wanted. What does not install for this
interpreter is said, and left out.
"""

import os
import subprocess
import sys
import types
import venv

import contenders
import suite


def wanted():
    return "%s\n%s\n" % (" ".join(suite.PROGRAMS), " ".join(contenders.PACKAGES))


def install(place):
    python = os.path.join(place, "bin", "python")
    venv.create(place, symlinks=True, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "pyperformance", "setuptools<81"], check=True)  # pkg_resources, which old packages still import, left later
    found = subprocess.run([python, "-c", "import pyperformance; print(pyperformance.__file__)"], stdout=subprocess.PIPE, check=True, text=True)
    package = types.SimpleNamespace(__file__=found.stdout.strip())
    for program in suite.PROGRAMS:
        requirements = os.path.join(suite.directory_of(program, package), "requirements.txt")
        if os.path.exists(requirements) and subprocess.run([*pip, "-r", requirements]).returncode != 0:
            print("%s cannot be installed" % program, file=sys.stderr)
    for name in contenders.PACKAGES:
        if subprocess.run([*pip, name]).returncode != 0:
            print("%s cannot be installed" % name, file=sys.stderr)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    place = sys.argv[1]
    complete = os.path.join(place, "complete")
    if os.path.exists(complete):
        with open(complete) as file:
            if file.read() == wanted():
                return
    print("Installing the programs of pyperformance and other tools in %s" % place, file=sys.stderr)
    install(place)
    with open(complete, "w") as file:
        file.write(wanted())


if __name__ == "__main__":
    main()
