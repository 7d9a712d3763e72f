export default (args) => args;
