"""Adds up an order, to the cent."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def main(lines: list["OrderLine"], vat_percent: str) -> "Invoice":
    net = Decimal(0)
    for line in lines:
        if line["quantity"] <= 0:
            raise ValueError(f"{line['article']}: a quantity of {line['quantity']}")
        net += Decimal(line["price"]) * line["quantity"]
    vat = (net * Decimal(vat_percent) / 100).quantize(CENT, ROUND_HALF_UP)
    return {"net": str(net.quantize(CENT)), "vat": str(vat), "total": str((net + vat).quantize(CENT))}
