"""python -m nn2eq is nn2eq."""

from nn2eq.cli import main

if __name__ == "__main__":
    main()
