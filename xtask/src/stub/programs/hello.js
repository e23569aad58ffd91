(function*({ b: require }) {
  console.log('hello');
})
