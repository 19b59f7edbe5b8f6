"""Class bodies, metaclasses, decorators, descriptors, comprehensions, lambdas and code made at run time."""

import abc
import dataclasses
import enum
import functools


def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def repeat(times):
    def decorate(function):
        def wrapper(*args):
            return [function(*args) for _ in range(times)]

        return wrapper

    return decorate


class Registry(type):
    known = {}

    def __new__(mcs, name, bases, body, **keywords):
        cls = super().__new__(mcs, name, bases, body)
        mcs.known[name] = cls
        return cls

    def __call__(cls, *args):
        return super().__call__(*args)

    @classmethod
    def __prepare__(mcs, name, bases, **keywords):
        return {"prepared": name}


def define():
    class Base(metaclass=Registry):
        squares = [n * n for n in range(5)]
        table = {n: lambda n=n: n for n in range(3)}

        def __init_subclass__(cls, **keywords):
            super().__init_subclass__(**keywords)
            cls.tag = cls.__name__.lower()

        def __init__(self, value=0):
            self._value = value

        @property
        def value(self):
            return self._value

        @value.setter
        def value(self, value):
            self._value = value

        @value.deleter
        def value(self):
            self._value = None

        @staticmethod
        def make(n):
            return [Base(i) for i in range(n)]

        @classmethod
        def one(cls):
            return cls(1)

        @functools.cached_property
        def costly(self):
            return sum(self.squares)

    class Derived(Base):
        def __set_name__(self, owner, name):
            self.name = name

        @traced
        @repeat(3)
        def method(self, x):
            return (lambda y: x + y)(self.value)

    return Base, Derived


class Typed:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return getattr(instance, self.name, None)

    def __set__(self, instance, value):
        setattr(instance, self.name, int(value))


class Shape(abc.ABC):
    size = Typed()

    @abc.abstractmethod
    def area(self): ...


class Square(Shape):
    def area(self):
        return self.size**2


def main():
    base, derived = define()
    item = derived(4)
    item.value = 5
    out = [item.value, item.method(1), base.make(3), derived.one().value, item.costly, item.costly, derived.tag]
    del item.value

    @dataclasses.dataclass(order=True)
    class Point:
        x: int
        y: int = 0
        tags: list = dataclasses.field(default_factory=list)

    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

    square = Square()
    square.size = "3"
    out += [sorted([Point(2), Point(1, 5)]), Point(1) == Point(1), Colour(1), Colour["BLUE"], square.area(), isinstance(square, Shape)]
    out += [{x: y for x, y in zip(range(3), range(3))}, {x % 2 for x in range(9)}, [[y for y in range(x)] for x in range(4)]]
    scope = {}
    exec("def made(n):\n    return [made(n - 1)] if n else []\nclass Body:\n    x = 1\n", scope)
    out += [scope["made"](4), eval("[z for z in (1, 2)]"), compile("1 + 1", "<made>", "eval")]
    return len(str(out)) > 0
