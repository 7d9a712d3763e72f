/** Adds up: function style. */

/** @type {Syncano.TotalMain} */
export default async function total({ lines, vat_percent = '20' }, { config }) {
  let sum = 0;
  for (const line of lines) {
    if (line.quantity <= 0) throw new AppError('NoQuantity', { article: line.article });
    sum += line.quantity * config.price;
  }
  return { taken: [{ article: vat_percent, state: 'Gone' }], by_article: { tea: sum }, pair: ['tea', 1] };
}
