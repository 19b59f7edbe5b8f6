"""The part of inside.py that Python 3.9 cannot read."""


def classify(value):
    match value:
        case 0 | 1:
            return "small"
        case [x, *_] if x > 5:
            return "long"
        case {"key": inner}:
            match inner:
                case str():
                    return inner
                case _:
                    pass
        case complex(real=0):
            return "imaginary"
        case _:
            return None
    return "rest"


def test_match():
    return [classify(value)
            for value in (0, [6, 1], [1], {"key": "x"}, {"key": 1}, 2j, None)]
