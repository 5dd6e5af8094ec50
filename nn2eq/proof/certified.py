"""Is a certificate right about a text? Its bound is proved again, and the text is held to what that is proved of."""

from __future__ import annotations

from dataclasses import replace

from nn2eq.emit import emitter
from nn2eq.emit.header import read_header
from nn2eq.errors import Disagreement
from nn2eq.network import Network
from nn2eq.proof.approximate import expect_program
from nn2eq.proof.certificate import Certificate, verify
from nn2eq.proof.check import compare_answer
from nn2eq.proof.child import run_limited
from nn2eq.proof.runners import run
from nn2eq.surroundings import as_told


def certified(network: Network, text: str, certificate: Certificate) -> str:
    """Verify a certificate of a text, and say what that comes to. Raises Disagreement.

    A text in JSON is itself what is proved. Another is run at samples of the box, in a limited child where its language
    has one, and must say there what the certificate's program says, to 1e-12.
    """
    header = read_header(text)
    network, _ = as_told(network, header.around if header else ())
    program = replace(
        verify(network, text, certificate), exact=False, domain=certificate.domain, proved=certificate.bound
    )
    proved = (
        f"the certificate holds: within {certificate.bound:.6g}, proved again on {certificate.count:,} pieces"
    )
    if certificate.language == "json":
        return f"{proved} of the text itself"
    expected = expect_program(network, program)
    runner = run if emitter(certificate.language).external else run_limited
    answer = runner(certificate.language, text, expected.x, (header and header.name) or "predict")
    agreement = compare_answer(expected, answer, program, certificate.language)
    if not agreement.holds:
        raise Disagreement(
            "the certificate fails: the text says something else than what it is proved of",
            code="certificate-fails", where=agreement.where(),
        )  # fmt: skip
    return f"{proved} of the program in it, which the text says at {len(expected.x)} samples"
