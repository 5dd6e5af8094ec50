"""Texts in Java, compiled by javac with every warning an error."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

final class RunText {
    public static void main(String[] given) throws java.io.IOException {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(Path.of("x.bin"))).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer out = null;
        for (int row = 0; row < $samples; row++) {
            double[] x = new double[$inputs];
            for (int k = 0; k < x.length; k++) x[k] = in.getDouble();
            double[] y = $call;
            if (out == null) out = ByteBuffer.allocate(8 * y.length * $samples).order(ByteOrder.LITTLE_ENDIAN);
            for (double value : y) out.putDouble(value);
        }
        Files.write(Path.of("y.bin"), out.array());
    }
}
"""
BUILD = ("javac", "-Xlint:all", "-Werror", "-encoding", "UTF-8", "RunText.java", "$Name.java")
RUN = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "RunText")
TOOLCHAIN = Toolchain("$Name.java", {"RunText.java": MAIN}, (BUILD, RUN))


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Compile and run a text at x (n, inputs)."""
    found = re.search(r"^(?:public )?(?:final )?class (\w+) ", text, re.MULTILINE)
    Name = found[1] if found else name[:1].upper() + name[1:]
    several = re.search(rf"double\[\]\[\] {re.escape(name)}\(", text)
    call = f"{Name}.{name}(x)"
    if several:
        call = f"java.util.Arrays.stream({call}).flatMapToDouble(java.util.Arrays::stream).toArray()"
    return TOOLCHAIN.run(text, x, name, call=call, Name=Name)
