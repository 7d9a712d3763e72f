export default ({ name }) => name;
