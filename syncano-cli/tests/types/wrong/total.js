/** @type {Syncano.TotalMain} */
export default function total({ lines, vat_percent }) {
  if (lines[0].amount) throw new AppError();
  return { taken: [{ article: vat_percent.trim(), state: 'Lost' }], by_article: {}, pair: ['tea', 1] };
}
